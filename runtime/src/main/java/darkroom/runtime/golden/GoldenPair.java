package darkroom.runtime.golden;

/** A name and its number in a test vector. */
record GoldenPair(String text, double number) {}
