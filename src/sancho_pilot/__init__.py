"""The pilot: it runs in a batch slot on the standard library alone, on Python 3.8 and every later one."""
