# The model of the scripts that test whole runs. Sourced.

# tiny_model DIR writes DIR/config.json: two Qwen3 layers, for the tokenizer of the chain task.
tiny_model() {
  mkdir -p "$1"
  cat >"$1/config.json" <<'END'
{"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": 60, "hidden_size": 64,
 "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
 "max_position_embeddings": 256, "rms_norm_eps": 1e-6, "rope_theta": 1000.0, "hidden_act": "silu",
 "tie_word_embeddings": true, "eos_token_id": 2, "torch_dtype": "float32"}
END
}
