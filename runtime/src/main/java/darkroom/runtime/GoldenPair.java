package darkroom.runtime;

/** A name and its number in a test vector. */
record GoldenPair(String text, double number) {}
