"""FLAME Hub: for tests there is an emulator of its services in `.emulator`."""
