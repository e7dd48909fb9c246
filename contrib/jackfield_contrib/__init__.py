"""Adapters to third-party libraries, a module each and named as it. Only that module needs the library."""
