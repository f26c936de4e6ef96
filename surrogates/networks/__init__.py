"""Graph networks: circuits as graphs, backbones, extractors, heads, and the discriminator made of them."""
