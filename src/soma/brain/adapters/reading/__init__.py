"""Reading documents, one format a file. Runs in a process of its own: see document_reader_process."""
