"""What a circuit is made of: rails, matched devices, mirrors, differential pairs, and which class of circuit it is."""
