"""A first spec for a netlist: variables with ranges, test benches for the class of circuit, targets as it is now."""
