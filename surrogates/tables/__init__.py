"""Device tables: what the devices of a circuit do, measured once by ngspice, and circuits solved on them in batches."""
