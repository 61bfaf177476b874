"""`/{exchange}/*`: what the seeds' frontend asks of exchanges, answered from stored facts, or live through a worker."""
