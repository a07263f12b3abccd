package darkroom.rewardactors.protocol;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes a score in [0, 1] from the alternatives of one position: the softmax over the labels that are present (an absent
 * label has probability 0), its expected weight, moved to [0, 1] by the smallest and largest weight (equations 10 and 11 for
 * any label set). All in doubles.
 *
 * <p>Log-probabilities differ from logits by one constant, so the result equals the one from logits.
 */
public final class LabelScore {
    /** Log-probabilities up to this far above 0 are rounding errors; larger ones are invalid. */
    static final double POSITIVE_MAX = 1e-3;

    /** Label mass up to this far above 1 is the rounding error of a bfloat16 scorer; a larger mass is invalid. */
    static final double MASS_EXCESS_MAX = 1e-2;

    /** Values from here down are those that vLLM returns for missing ones. */
    static final double NO_VALUE = -9999;

    private LabelScore() {}

    /** Score of the alternatives, or why they are rejected. */
    public sealed interface Reading {
        /** Returns the probability of the labels together; 0 where the values themselves are rejected. */
        double mass();
    }

    /**
     * An accepted score.
     *
     * @param score in [0, 1]
     */
    public record Believed(double score, double mass) implements Reading {}

    /**
     * Alternatives that give no score.
     *
     * @param code stable and short: {@code no-labels}, {@code low-mass}, {@code bad-logprob}, {@code excess-mass}, {@code
     *     missing-label}
     * @param detail one line
     */
    public record Refused(String code, String detail, double mass) implements Reading {}

    /** Reads the likeliest alternatives of one position: a label missing from them has probability 0. */
    public static Reading of(List<TokenLogprob> alternatives, LabelSet labels, double massMin) {
        return of(alternatives, labels, massMin, false);
    }

    /**
     * Reads the alternatives of one position, in any order. A repeated token must repeat its value.
     *
     * @param exact whether each label must be present
     * @param massMin label mass below which the scorer is assumed to have written something else; in [0, 1]
     */
    public static Reading of(List<TokenLogprob> alternatives, LabelSet labels, double massMin, boolean exact) {
        Map<String, Double> values = new HashMap<>();
        for (TokenLogprob alternative : alternatives) {
            double logprob = alternative.logprob();
            if (Double.isNaN(logprob) || logprob > POSITIVE_MAX) {
                return lie("bad-logprob", "log-probability " + logprob + " of " + quoted(alternative.token()));
            }
            Double before = values.put(alternative.token(), logprob);
            if (before != null && before != logprob && isLabel(alternative.token(), labels)) {
                String both = " has log-probabilities " + before + " and " + logprob;
                return lie("double-label", "label " + quoted(alternative.token()) + both);
            }
        }
        double mass = 0;
        double largest = Double.NEGATIVE_INFINITY;
        for (LabelSet.Label label : labels.labels()) {
            Double logprob = values.get(label.token());
            if (logprob == null && exact) {
                return lie("missing-label", "no log-probability of label " + quoted(label.token()));
            }
            if (logprob == null) {
                continue;
            }
            if (logprob == TokenLogprob.NONE) {
                return lie("bad-logprob", "label " + quoted(label.token()) + " has no finite log-probability");
            }
            if (logprob <= NO_VALUE) {
                return lie("bad-logprob", "log-probability " + logprob + " of label " + quoted(label.token()));
            }
            mass += Math.exp(logprob);
            largest = Math.max(largest, logprob);
        }
        if (largest == Double.NEGATIVE_INFINITY) {
            return new Refused("no-labels", "none of the labels among " + alternatives.size() + " alternatives", 0);
        }
        if (mass > 1 + MASS_EXCESS_MAX) {
            return lie("excess-mass", "the labels' probabilities sum to " + mass);
        }
        if (mass < massMin || mass == 0) {
            return new Refused("low-mass", "label mass " + mass + " is below scoring.label-mass-min=" + massMin, mass);
        }
        double weighted = 0;
        double total = 0;
        for (LabelSet.Label label : labels.labels()) {
            Double logprob = values.get(label.token());
            if (logprob != null) {
                double share = Math.exp(logprob - largest);
                weighted += label.weight() * share;
                total += share;
            }
        }
        double expected = weighted / total;
        double score = (expected - labels.weightMin()) / (labels.weightMax() - labels.weightMin());
        return new Believed(Math.clamp(score, 0.0, 1.0), Math.min(mass, 1.0));
    }

    /** Whether this is a log-probability at all. */
    public static boolean isValue(TokenLogprob told) {
        return told.logprob() > NO_VALUE && told.logprob() <= POSITIVE_MAX;
    }

    private static boolean isLabel(String token, LabelSet labels) {
        return labels.labels().stream().anyMatch(label -> label.token().equals(token));
    }

    private static Refused lie(String code, String detail) {
        return new Refused(code, detail, 0);
    }

    private static String quoted(String token) {
        return '"' + (token.length() <= 20 ? token : token.substring(0, 20) + "...") + '"';
    }
}
