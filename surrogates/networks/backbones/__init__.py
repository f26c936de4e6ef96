"""Backbones: networks from the device parameters of one topology to states of its nodes and voltages of its nets."""
