"""What a call costs, beside the peers: `python benchmarks/bench.py`. Not installed, and nothing asserts a time."""
