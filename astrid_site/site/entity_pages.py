"""Which page shows what a job or a line of the audit log is about, by the kind of row."""

ENTITY_PAGES = {
    "observation": "observations:observation",
    "differencerun": "differencing:difference",
    "detection": "curation:detection",
    "source": "curation:source",
    "alert": "curation:alert",
    "subscription": "curation:subscription",
    "model": "detection:model",
    "processingjob": "catalog:job",
}
