package darkroom.runtime.golden;

import static darkroom.runtime.golden.GoldenComparison.Arithmetic.JAVA_DOUBLE;
import static darkroom.runtime.golden.GoldenComparison.Arithmetic.SCRIPT_DOUBLE;
import static darkroom.runtime.golden.GoldenComparison.Arithmetic.SCRIPT_FLOAT;

import darkroom.config.TrainingSettings.Weighting;
import darkroom.gpuworkers.DeviceMath;
import darkroom.gpuworkers.DeviceMath.Precision;
import darkroom.gpuworkers.NftLoss;
import darkroom.runtime.golden.GoldenComparison.Arithmetic;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** A batch under DiffusionNFT's loss, with the loss and its gradient. */
final class NftLossGolden implements GoldenFormat {
    private static final double AMPLIFICATION_MAX = 1000;

    private final DeviceMath exact = new DeviceMath(Precision.FLOAT64);
    private final DeviceMath device = new DeviceMath(Precision.FLOAT32);

    @Override
    public String mark() {
        return "samples";
    }

    @Override
    public void compare(GoldenCase golden, GoldenComparison comparison) {
        NftLoss loss = new NftLoss(
                golden.constant(Weighting.class, "weighting"),
                golden.number("beta"),
                golden.number("advantageClip"),
                golden.number("klWeight"));
        List<GoldenCase> expected = golden.objects("samples");
        List<NftLoss.Sample> samples = new ArrayList<>();
        for (GoldenCase sample : expected) {
            samples.add(sample(sample));
        }
        if (samples.isEmpty()) {
            throw new GoldenCase.FormatException(golden.where("samples") + " is empty");
        }
        for (int i = 0; i < samples.size(); i++) {
            GoldenCase sample = expected.get(i);
            comparison.numbers(
                    sample.where("xt"),
                    JAVA_DOUBLE,
                    sample.numbers("xt"),
                    samples.get(i).noisy());
        }
        List<Scale> exactly =
                samples.stream().map(sample -> Scale.of(loss, sample, 1)).toList();
        List<Scale> roughly = samples.stream()
                .map(sample -> Scale.of(loss, sample, AMPLIFICATION_MAX))
                .toList();
        compare(golden, expected, comparison, JAVA_DOUBLE, loss.evaluate(samples), exactly);
        compare(golden, expected, comparison, SCRIPT_DOUBLE, exact.nft(loss, samples), exactly);
        compare(golden, expected, comparison, SCRIPT_FLOAT, device.nft(loss, samples), roughly);
    }

    /**
     * Size of the terms that cancel in one sample: the gradient is the difference of those at optimality 1 and 0, and
     * every error is a difference of velocities or images, whose rounding counts the more the smaller it is.
     */
    private record Scale(double branch, double policy, double kl, double gradient) {
        /**
         * Returns the sizes of the terms of a sample.
         *
         * @param amplificationMax 1 where rounding is far below the tolerance
         */
        static Scale of(NftLoss loss, NftLoss.Sample sample, double amplificationMax) {
            NftLoss.Terms liked = terms(loss, sample, 1);
            NftLoss.Terms disliked = terms(loss, sample, 0);
            double input = Stream.of(sample.x0(), sample.noise(), sample.vOld(), sample.vTheta(), sample.vRef())
                    .mapToDouble(Scale::largest)
                    .max()
                    .orElse(0);
            double branch = Math.max(liked.positive(), liked.negative());
            double error = Math.min(liked.positive(), liked.negative());
            double deviation =
                    switch (loss.weighting()) {
                        case ADAPTIVE -> error;
                        case NONE -> Math.sqrt(error);
                    };
            double amplified = Math.clamp(deviation == 0 ? amplificationMax : input / deviation, 1, amplificationMax);
            return new Scale(
                    amplified * branch,
                    amplified * Math.max(liked.policy(), disliked.policy()),
                    Math.max(liked.kl(), Math.min(amplificationMax * liked.kl(), Math.sqrt(liked.kl()) * input)),
                    amplified * Math.max(largest(liked.gradient()), largest(disliked.gradient())));
        }

        private static NftLoss.Terms terms(NftLoss loss, NftLoss.Sample sample, double optimality) {
            NftLoss.Sample moved = new NftLoss.Sample(
                    sample.x0(),
                    sample.noise(),
                    sample.t(),
                    optimality,
                    true,
                    sample.vOld(),
                    sample.vTheta(),
                    sample.vRef());
            return loss.evaluate(List.of(moved)).samples().getFirst();
        }

        private static double largest(double[] vector) {
            return Arrays.stream(vector).map(Math::abs).max().orElse(0);
        }
    }

    private static NftLoss.Sample sample(GoldenCase sample) {
        double[] x0 = sample.numbers("x0");
        return new NftLoss.Sample(
                x0,
                alike(sample, "noise", x0),
                sample.number("t"),
                sample.number("optimality"),
                sample.flag("valid"),
                alike(sample, "vOld", x0),
                alike(sample, "vTheta", x0),
                alike(sample, "vRef", x0));
    }

    private static double[] alike(GoldenCase sample, String field, double[] x0) {
        double[] numbers = sample.numbers(field);
        if (numbers.length != x0.length) {
            throw new GoldenCase.FormatException("%s has %d numbers, %s has %d"
                    .formatted(sample.where(field), numbers.length, sample.where("x0"), x0.length));
        }
        return numbers;
    }

    private static void compare(
            GoldenCase golden,
            List<GoldenCase> samples,
            GoldenComparison comparison,
            Arithmetic arithmetic,
            NftLoss.Evaluation got,
            List<Scale> scales) {
        for (int i = 0; i < samples.size(); i++) {
            GoldenCase sample = samples.get(i);
            NftLoss.Terms terms = got.samples().get(i);
            Scale scale = scales.get(i);
            number(sample, "positiveLoss", comparison, arithmetic, terms.positive(), scale.branch());
            number(sample, "negativeLoss", comparison, arithmetic, terms.negative(), scale.branch());
            number(sample, "policyLoss", comparison, arithmetic, terms.policy(), scale.policy());
            number(sample, "klLoss", comparison, arithmetic, terms.kl(), scale.kl());
        }
        double largest = scales.stream()
                .mapToDouble(scale -> Math.max(scale.policy(), scale.kl()))
                .max()
                .orElse(0);
        number(golden, "loss", comparison, arithmetic, got.loss(), largest);
        List<double[]> gradients = golden.rows("gradVTheta");
        comparison.same(
                golden.where("gradVTheta") + " count",
                gradients.size(),
                got.gradients().size());
        for (int i = 0; i < Math.min(gradients.size(), got.gradients().size()); i++) {
            comparison.numbers(
                    golden.where("gradVTheta") + "[" + i + "]",
                    arithmetic,
                    gradients.get(i),
                    got.gradients().get(i),
                    scales.get(i).gradient() / samples.size());
        }
    }

    private static void number(
            GoldenCase golden,
            String field,
            GoldenComparison comparison,
            Arithmetic arithmetic,
            double got,
            double scale) {
        comparison.number(golden.where(field), arithmetic, golden.number(field), got, scale);
    }

    @Override
    public void close() {
        exact.close();
        device.close();
    }
}
