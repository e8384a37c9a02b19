"""The rules, a file a topic; each file lists its own, and the pipeline lists the files."""
