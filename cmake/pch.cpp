// The translation unit that owns the precompiled header of all tensor code.
