package darkroom.edittasks.tasks;

import darkroom.edittasks.pictures.RgbImage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An unlimited sequence of editing tasks. Row {@code index} of a split is a pure function of (size, seed, mix, split, index):
 * the same in every instance and thread. Safe for all threads.
 */
public final class EditTasks {
    /** Maximum number of attempts to find a combination of the required split. */
    private static final int ATTEMPTS_MAX = 20_000;

    /** Minimum number of pixels that an edit changes, for a side of 32; fewer could not be judged. */
    private static final int CHANGED_MIN = 8;

    /** Number of rows rendered by {@link #sha256}. */
    static final int PROBES = 24;

    private final int size;
    private final long seed;
    private final TaskMix mix;
    private final String prefix;

    /**
     * Creates the tasks of one seed.
     *
     * @param size side of the square pictures in pixels: 32 or 64
     * @param seed key of all rows
     */
    public EditTasks(int size, long seed, TaskMix mix) {
        if (size != 32 && size != 64) {
            throw new IllegalArgumentException("size=" + size + " pixels must be 32 or 64");
        }
        this.size = size;
        this.seed = seed;
        this.mix = mix;
        this.prefix = "drawn" + size + "-" + seed + "-" + mix.digest() + "-";
    }

    /** Returns the side of the pictures in pixels. */
    public int size() {
        return size;
    }

    /**
     * Returns the SHA-256, in hexadecimal, of the content of a split: the packaged art and word lists, and the first {@link
     * #PROBES} rows, pixel by pixel. Equal digests of two builds mean equal rows.
     */
    public String sha256(Split split) {
        MessageDigest digest = Catalogue.sha256();
        for (int index = 0; index < PROBES; index++) {
            EditTask task = render(split, index);
            RgbImage reference = task.reference();
            for (String part : List.of(
                    task.id(),
                    task.instruction(),
                    task.requirement(),
                    task.source().sha256(),
                    task.target().sha256(),
                    reference == null ? "" : reference.sha256())) {
                byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
                digest.update(
                        ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
                digest.update(bytes);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Renders row {@code index} of {@code split}; any index from 0 on. */
    public EditTask render(Split split, long index) {
        Draws draws = new Draws(seed, split.number(), index);
        TaskType type = mix.draw(draws);
        TaskTemplate template = TaskTemplate.of(type);
        PlanDraws planDraws = new PlanDraws(draws, Pool.of(split, mix.objects()));
        for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
            Plan plan = template.draw(planDraws);
            if (split != Split.UNSEEN_OBJECTS && plan.combination().split() != split) {
                continue;
            }
            EditTask task = carryOut(plan, split, index);
            if (task != null) {
                return task;
            }
        }
        throw new IllegalStateException("no " + type.label() + " task of split " + split.label() + " in " + ATTEMPTS_MAX
                + " attempts; the mix of " + mix.objects() + " objects is too small for it, use more");
    }

    private @Nullable EditTask carryOut(Plan plan, Split split, long index) {
        RgbImage source = plan.source().render(size);
        RgbImage target = plan.target().render(size);
        if (changes(source, target) < CHANGED_MIN * size * size / 1024) {
            return null;
        }
        Scene reference = plan.reference();
        return new EditTask(
                prefix + split.label() + "-" + index,
                plan.combination().task(),
                plan.combination().key(),
                plan.request().instruction(),
                plan.request().requirement(),
                source,
                target,
                reference == null ? null : reference.render(size),
                which -> plan.wrong().scene(which).render(size));
    }

    private static int changes(RgbImage source, RgbImage target) {
        int count = 0;
        for (boolean changed : GroundTruth.changed(source, target)) {
            count += changed ? 1 : 0;
        }
        return count;
    }
}
