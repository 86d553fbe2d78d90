package minimaxmedia

// speechRequest is the body of T2A v2.
type speechRequest struct {
	Model             string         `json:"model"`
	Text              string         `json:"text"`
	Stream            bool           `json:"stream"`
	StreamOptions     *streamOptions `json:"stream_options"`
	VoiceSetting      voiceSetting   `json:"voice_setting"`
	AudioSetting      audioSetting   `json:"audio_setting"`
	PronunciationDict pronunciation  `json:"pronunciation_dict"`
	TimbreWeights     []timbre       `json:"timbre_weights"`
	TimberWeights     []timbre       `json:"timber_weights"` // as some copies of the reference spell it
	LanguageBoost     *string        `json:"language_boost"`
	VoiceModify       *voiceModify   `json:"voice_modify"`
	SubtitleEnable    bool           `json:"subtitle_enable"`
	SubtitleType      *string        `json:"subtitle_type"`
	OutputFormat      *string        `json:"output_format"`
	Watermark         *bool          `json:"aigc_watermark"`

	newFormats bool
}

type streamOptions struct {
	ExcludeAggregated bool `json:"exclude_aggregated_audio"`
}

type voiceSetting struct {
	VoiceID       string   `json:"voice_id"`
	Speed         *float64 `json:"speed"`
	Vol           *float64 `json:"vol"`
	Pitch         *int     `json:"pitch"`
	Emotion       *string  `json:"emotion"`
	Normalization *bool    `json:"text_normalization"`
	LatexRead     *bool    `json:"latex_read"`
}

type audioSetting struct {
	SampleRate *int    `json:"sample_rate"`
	Bitrate    *int    `json:"bitrate"`
	Format     *string `json:"format"`
	Channel    *int    `json:"channel"`
	ForceCBR   *bool   `json:"force_cbr"`
}

type pronunciation struct {
	Tone []string `json:"tone"`
}

type timbre struct {
	VoiceID string `json:"voice_id"`
	Weight  int    `json:"weight"`
}

type voiceModify struct {
	Pitch     *int    `json:"pitch"`
	Intensity *int    `json:"intensity"`
	Timbre    *int    `json:"timbre"`
	Effects   *string `json:"sound_effects"`
}

func (r *speechRequest) format() string { return or(r.AudioSetting.Format, "mp3") }
