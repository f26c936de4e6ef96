"""Peers: optimizers of other people behind the interface of ours, each set up as its own documentation recommends."""
