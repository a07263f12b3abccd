package darkroom.rewardactors.protocol;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Tokens that carry a judgement, with their weights: M and w(r) of equations 10 and 11.
 *
 * <p>A token is a label only if its text is equal to the label's: {@code " 5"}, {@code "５"}, {@code "10"} and {@code "five"}
 * are not.
 */
public record LabelSet(List<Label> labels) {
    /** The score labels "0" to "5" of the paper, worth 0 to 5. */
    public static final LabelSet SCORES = new LabelSet(scores());

    /** "Yes" is worth 1 and "No" 0, so that the score is p(Yes) / (p(Yes) + p(No)). */
    public static final LabelSet YES_NO = new LabelSet(List.of(new Label("Yes", 1), new Label("No", 0)));

    /** One label. */
    public record Label(String token, double weight) {}

    /**
     * Validates the labels.
     *
     * @throws IllegalArgumentException for fewer than two labels, a duplicate token, a weight that is not a number, or equal
     *     weights
     */
    public LabelSet {
        labels = List.copyOf(labels);
        Set<String> tokens = new HashSet<>();
        for (Label label : labels) {
            if (!tokens.add(label.token()) || label.token().isEmpty()) {
                throw new IllegalArgumentException("label \"" + label.token() + "\" is empty or stands twice");
            }
            if (!Double.isFinite(label.weight())) {
                throw new IllegalArgumentException("label \"" + label.token() + "\" weighs " + label.weight());
            }
        }
        if (labels.stream().mapToDouble(Label::weight).distinct().count() < 2) {
            throw new IllegalArgumentException("labels " + tokens + " need two different weights to tell edits apart");
        }
    }

    /** Returns the smallest weight, which becomes score 0. */
    public double weightMin() {
        return labels.stream().mapToDouble(Label::weight).min().orElseThrow();
    }

    /** Returns the largest weight, which becomes score 1. */
    public double weightMax() {
        return labels.stream().mapToDouble(Label::weight).max().orElseThrow();
    }

    /**
     * Parses {@code TOKEN=WEIGHT} of settings.
     *
     * @throws IllegalArgumentException as the constructor
     */
    static LabelSet parse(List<String> labels) {
        return new LabelSet(labels.stream()
                .map(label -> {
                    int at = label.lastIndexOf('=');
                    return new Label(label.substring(0, at), Double.parseDouble(label.substring(at + 1)));
                })
                .toList());
    }

    /** Returns the weight of that label; empty if it does not exist. */
    OptionalDouble weightOf(String token) {
        return labels.stream()
                .filter(label -> label.token().equals(token))
                .mapToDouble(Label::weight)
                .findFirst();
    }

    /** Returns a regular expression for one of the tokens, the longest that fits. */
    String alternatives() {
        return labels.stream()
                .map(Label::token)
                .sorted(Comparator.comparingInt(String::length).reversed())
                .map(Pattern::quote)
                .collect(Collectors.joining("|"));
    }

    private static List<Label> scores() {
        List<Label> scores = new ArrayList<>();
        for (int score = 0; score <= 5; score++) {
            scores.add(new Label(Integer.toString(score), score));
        }
        return scores;
    }
}
