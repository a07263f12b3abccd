package darkroom.runtime.studies;

import darkroom.runtime.base.Bootstrap;
import darkroom.runtime.studies.AnnotatedPair.Preferred;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Agreement of scores with annotators in ordering two edits (the paper's Table 4, which does not define the treatment
 * of ties: so all three variants are reported).
 *
 * @param pairs both of whose edits have a score
 * @param unscored pairs with an edit without a score; in no figure
 * @param annotatedTies share of pairs that were annotated as equivalent
 * @param scoredTies share of pairs whose scores are equal
 * @param strict share of all pairs where both agree, equivalence included
 * @param tiesHalf the same, where a tie of one side alone counts half
 * @param untied share of the pairs that were not annotated as equivalent whose better edit has the higher score; equal
 *     scores are wrong
 */
public record PairAgreement(
        int pairs,
        int unscored,
        double annotatedTies,
        double scoredTies,
        Optional<Share> strict,
        Optional<Share> tiesHalf,
        Optional<Share> untied) {

    /**
     * A share with the 95 % interval of a bootstrap that draws sources, since the pairs of one source are not
     * independent.
     *
     * @param value in [0, 1]
     * @param low empty if there is no interval: all pairs are of one source, or all sources have the same share
     * @param high empty together with {@code low}
     */
    record Share(double value, OptionalDouble low, OptionalDouble high) {}

    /**
     * A pair with its scores.
     *
     * @param source of the pair; resampled as one
     */
    record Judged(String source, Preferred preferred, double a, double b) {
        Preferred scored() {
            return a == b ? Preferred.TIE : a > b ? Preferred.A : Preferred.B;
        }

        private double same() {
            return preferred == scored() ? 1 : 0;
        }

        private double sameOrHalf() {
            boolean oneTied = (preferred == Preferred.TIE) != (scored() == Preferred.TIE);
            return oneTied ? .5 : same();
        }
    }

    static PairAgreement of(List<Judged> judged, int unscored) {
        return new PairAgreement(
                judged.size(),
                unscored,
                share(judged, pair -> pair.preferred() == Preferred.TIE),
                share(judged, pair -> pair.scored() == Preferred.TIE),
                mean(judged, Judged::same),
                mean(judged, Judged::sameOrHalf),
                mean(
                        judged.stream()
                                .filter(pair -> pair.preferred() != Preferred.TIE)
                                .toList(),
                        Judged::same));
    }

    private static double share(List<Judged> judged, Predicate<Judged> such) {
        return judged.isEmpty() ? 0 : (double) judged.stream().filter(such).count() / judged.size();
    }

    private static Optional<Share> mean(List<Judged> judged, Function<Judged, Double> value) {
        if (judged.isEmpty()) {
            return Optional.empty();
        }
        Map<String, double[]> sources = new LinkedHashMap<>();
        for (Judged pair : judged) {
            double[] sum = sources.computeIfAbsent(pair.source(), _ -> new double[2]);
            sum[0] += value.apply(pair);
            sum[1]++;
        }
        List<double[]> clusters = new ArrayList<>(sources.values());
        int n = clusters.size();
        Bootstrap interval = Bootstrap.of(n, generated -> mean(clusters, generated));
        double whole = mean(clusters, IntStream.range(0, n).toArray());
        return Optional.of(new Share(whole, interval.low(), interval.high()));
    }

    private static double mean(List<double[]> clusters, int[] generated) {
        double sum = 0;
        double count = 0;
        for (int i : generated) {
            sum += clusters.get(i)[0];
            count += clusters.get(i)[1];
        }
        return sum / count;
    }
}
