client.audio.speech.create(
    model="minimax-speech-02",
    voice="warm-female-en",
    input="Welcome to vipcloud.",
    response_format="mp3",
)
