"""What corruptions share: gray planes, light and the response of a camera, sizes."""
