client.images.generate(
    model="wan-2.7",
    prompt="a snow leopard in a Tang dynasty courtyard, 4K",
    size="1024x1024",
    n=1,
)
