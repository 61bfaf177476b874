"""The pages behind `templates/`: each view makes one call into the rooms below and renders what it answers."""
