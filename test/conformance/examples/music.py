client.music.generate(
    model="mureka-o1",
    prompt="upbeat synthwave with female vocals",
    lyrics="on the edge of the cloud...",
    duration=90,
)
