"""Caching: answers that are kept and given again, by the rules of RFC 9111."""
