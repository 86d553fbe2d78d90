client.videos.generate(
    model="seedance-2",
    prompt="a samurai cat surfing a giant wave, cinematic",
    duration=10,
    resolution="1080p",
)
# returns: { id, status: "queued", poll_url }
