package darkroom.edittasks.tasks;

import java.util.List;

/** Draws random numbers one after another from a key: SplitMix64 (Steele, Lea and Flood 2014). Used by one thread. */
public final class Draws {
    private long state;

    public Draws(long... key) {
        for (long part : key) {
            state = mix(state * 31 + part + 0x9e3779b97f4a7c15L);
        }
    }

    static long mix(long z) {
        long a = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        long b = (a ^ (a >>> 27)) * 0x94d049bb133111ebL;
        return b ^ (b >>> 31);
    }

    private long next() {
        state += 0x9e3779b97f4a7c15L;
        return mix(state);
    }

    /** Draws a number from 0 to {@code bound - 1}. */
    public int below(int bound) {
        return (int) (((next() >>> 33) * bound) >>> 31);
    }

    /** Draws a number from {@code low} to {@code high}, both included. */
    public int between(int low, int high) {
        return low + below(high - low + 1);
    }

    public double unit() {
        return (next() >>> 11) * 0x1.0p-53;
    }

    public <T> T one(List<T> of) {
        return of.get(below(of.size()));
    }

    @SafeVarargs
    final <T> T one(T... of) {
        return of[below(of.length)];
    }

    /** Draws an element of {@code of} that equals none of {@code not}; the list must contain one. */
    <T> T other(List<T> of, Object... not) {
        List<Object> banned = List.of(not);
        int start = below(of.size());
        for (int i = 0; i < of.size(); i++) {
            T candidate = of.get((start + i) % of.size());
            if (!banned.contains(candidate)) {
                return candidate;
            }
        }
        throw new IllegalArgumentException("none of " + of + " is left without " + banned);
    }
}
