"""FLAME Hub: what there is of its bundle."""
