"""The paper's studies of networks that tell operating points."""
