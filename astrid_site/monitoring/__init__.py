"""What administrators watch: figures of the work for pages and for Prometheus."""
