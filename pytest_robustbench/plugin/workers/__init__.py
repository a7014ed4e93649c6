"""Several processes of one run: who they are, what they tell each other and what each keeps."""
