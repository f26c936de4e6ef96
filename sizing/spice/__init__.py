"""SPICE text -> lines -> a flat circuit: netlists, devices, expressions, process kits, and what may be trusted."""
