"""What all sessions share: made once per process, safe to use from many threads at once."""
