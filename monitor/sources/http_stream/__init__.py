"""Behind the source `http`: a server that keeps bodies, and the stream that hands them on."""
