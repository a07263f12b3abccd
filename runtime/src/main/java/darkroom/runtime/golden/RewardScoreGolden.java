package darkroom.runtime.golden;

import static darkroom.runtime.golden.GoldenComparison.Arithmetic.JAVA_DOUBLE;

import darkroom.config.ScoringSettings.Method;
import darkroom.rewardactors.protocol.LabelScore;
import darkroom.rewardactors.protocol.ScoringMethod;
import darkroom.rewardactors.protocol.TokenLogprob;
import java.util.List;

/** Alternatives of one position, and the score that follows from them, if any. */
final class RewardScoreGolden implements GoldenFormat {
    /** Label mass below which the vectors have no score: the default of {@code scoring.label-mass-min}. */
    private static final double MASS_MIN = 0.05;

    @Override
    public String mark() {
        return "topLogprobs";
    }

    @Override
    public void compare(GoldenCase golden, GoldenComparison comparison) {
        ScoringMethod method = ScoringMethod.of(golden.constant(Method.class, "method"));
        if (!method.logprobs()) {
            throw new GoldenCase.FormatException(golden.where("method") + " reads no log-probabilities");
        }
        List<TokenLogprob> alternatives = golden.pairs("topLogprobs").stream()
                .map(pair -> new TokenLogprob(pair.text(), pair.number()))
                .toList();
        LabelScore.Reading reading = LabelScore.of(alternatives, method.labels(), MASS_MIN);
        GoldenCase expected = golden.object("expected");
        comparison.number(expected.where("mass"), JAVA_DOUBLE, expected.number("mass"), reading.mass());
        boolean scored = expected.flag("scored");
        comparison.same(expected.where("scored"), scored, reading instanceof LabelScore.Believed);
        if (scored) {
            double score = expected.number("score");
            if (reading instanceof LabelScore.Believed believed) {
                comparison.number(expected.where("score"), JAVA_DOUBLE, score, believed.score());
            }
        }
    }
}
