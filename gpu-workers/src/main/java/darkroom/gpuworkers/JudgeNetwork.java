package darkroom.gpuworkers;

import ai.djl.ndarray.NDManager;
import darkroom.config.Precision;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.InstructionVocabulary;
import darkroom.gpuworkers.checkpoints.Safetensors;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.torchscript.Torch;
import darkroom.gpuworkers.torchscript.TorchModule;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The embedded judge: two pictures and an instruction in, logits over the labels "0" to "5" out.
 *
 * <p>Every call computes one batch of {@link #BATCH}, padded where it has fewer questions, so that an answer does not depend
 * on the others in the batch. Thread-confined: the first call decides the thread.
 */
public final class JudgeNetwork implements AutoCloseable {
    /** Maximum number of questions per call. */
    public static final int BATCH = 12;

    /** Judges that ship with Darkroom; {@code weak} is deliberately poor, to show reward hacking. */
    public static final List<String> SHIPPED = List.of("judge", "weak");

    private final Weights weights;
    private final Precision precision;
    private @Nullable Bench bench;

    /** A judge's parameters in the order of its layout. */
    @SuppressWarnings("ArrayRecordComponent") // a carrier of weights, never compared
    public record Weights(DitShape shape, float[] flat) {}

    /** One edit to be judged. */
    public record Question(
            RgbImage source, RgbImage edited, @Nullable RgbImage reference, String instruction) {}

    /**
     * Loads the network with these weights.
     *
     * @param precision of its linear layers
     */
    public JudgeNetwork(Weights weights, Precision precision) {
        this.weights = weights;
        this.precision = precision;
    }

    /**
     * Loads the judge of that name in {@link #SHIPPED}.
     *
     * @throws IOException if the build does not contain that judge, or its file is damaged
     */
    public static JudgeNetwork shipped(String name, Precision precision) throws IOException {
        requireShipped(name);
        return new JudgeNetwork(DitWeights.shipped(name, JudgeNetwork::read), precision);
    }

    /** Returns the SHA-256 of the file of the judge of that name, in hexadecimal. @throws IOException as {@link #shipped} */
    public static String sha256(String name) throws IOException {
        requireShipped(name);
        return DitWeights.shipped(name, DitWeights::digest);
    }

    private static void requireShipped(String name) throws IOException {
        if (!SHIPPED.contains(name)) {
            throw new IOException("scoring.judge=\"%s\" is none of %s".formatted(name, SHIPPED));
        }
    }

    /** Reads a judge from its file. */
    public static Weights read(java.nio.file.Path file) throws IOException {
        try (Safetensors tensors = Safetensors.open(file)) {
            DitShape shape = DitWeights.shape(file, tensors.metadata());
            return new Weights(shape, DitWeights.flat(tensors, JudgeScript.layout(shape)));
        }
    }

    /** Returns the side of the pictures that it judges, in pixels. */
    public int resolution() {
        return weights.shape().resolution();
    }

    /**
     * Computes logits [6] for each question, in their order. Blocks during the computation.
     *
     * @throws IllegalArgumentException if there are more than {@link #BATCH} questions or a picture has another size
     */
    public List<float[]> logits(List<Question> questions) {
        if (questions.size() > BATCH) {
            throw new IllegalArgumentException(questions.size() + " questions > batch of " + BATCH);
        }
        Bench own = bench == null ? new Bench() : bench;
        bench = own;
        return own.logits(questions);
    }

    @Override
    public void close() {
        if (bench != null) {
            bench.close();
        }
    }

    private final class Bench {
        private final TorchModule module;
        private final NDManager owned;
        private final TensorBuffer source;
        private final TensorBuffer edited;
        private final TensorBuffer reference;
        private final TensorBuffer tokens;
        private final TensorBuffer flat;
        private final float[] planar;

        Bench() {
            Torch.enterThread();
            DitShape shape = weights.shape();
            module = new TorchModule(DitScript.of(shape)
                    + ObjectiveScript.losses(PretrainJudge.NO_POLICY)
                    + JudgeScript.of(shape, precision.isBf16()));
            owned = module.scope();
            int side = shape.resolution();
            source = TensorBuffer.floats(owned, BATCH, 3, side, side);
            edited = TensorBuffer.floats(owned, BATCH, 3, side, side);
            reference = TensorBuffer.floats(owned, BATCH, 3, side, side);
            tokens = TensorBuffer.longs(owned, BATCH, shape.tokens());
            flat = TensorBuffer.floats(owned, weights.flat().length);
            flat.floats(0, weights.flat());
            planar = new float[shape.imageValues()];
        }

        List<float[]> logits(List<Question> questions) {
            for (int row = 0; row < BATCH; row++) {
                Question question = questions.get(Math.min(row, questions.size() - 1));
                put(question.source(), row, source);
                put(question.edited(), row, edited);
                put(question.reference(), row, reference);
                tokens.longs(row, InstructionVocabulary.embedded().encode(question.instruction()));
            }
            try (NDManager scope = module.scope()) {
                float[] all = module.call(
                                scope,
                                "judge_logits",
                                source.array(),
                                edited.array(),
                                reference.array(),
                                tokens.array(),
                                flat.array())
                        .get(0)
                        .toFloatArray();
                List<float[]> answers = new ArrayList<>();
                for (int row = 0; row < questions.size(); row++) {
                    answers.add(Arrays.copyOfRange(all, row * JudgeScript.LABELS, (row + 1) * JudgeScript.LABELS));
                }
                return answers;
            }
        }

        private void put(@Nullable RgbImage picture, int row, TensorBuffer into) {
            if (picture == null) {
                Arrays.fill(planar, 0);
            } else if (picture.width() != resolution() || picture.height() != resolution()) {
                throw new IllegalArgumentException("a picture of %dx%d pixels; this judge looks at %dx%d"
                        .formatted(picture.width(), picture.height(), resolution(), resolution()));
            } else {
                picture.planar(planar, 0);
            }
            into.floats((long) row * planar.length, planar);
        }

        void close() {
            owned.close();
            module.close();
        }
    }
}
