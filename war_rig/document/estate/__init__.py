"""What holds the files of an estate together, such as copies, calls, job steps and data sets."""
