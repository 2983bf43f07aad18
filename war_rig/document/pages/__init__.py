"""The pages that are published, in Markdown and JSON, and the folder that they are in."""
