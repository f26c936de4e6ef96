"""Search methods: what to simulate next."""
