"""What the machine adds: latency, memory, threads, other processes of the run."""
