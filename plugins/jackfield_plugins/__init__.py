"""Capabilities for any service, a module each. They use what `jackfield` names, as every third party does."""
