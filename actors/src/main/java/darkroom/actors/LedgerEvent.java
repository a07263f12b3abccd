package darkroom.actors;

import java.util.List;

/**
 * Something that happened in a run and must not be forgotten. Addressed by (step, group, slot); the ledger itself is that
 * of one run. There are no times in it. Which scorer answered, after how many attempts, and the words of a reason may differ
 * from run to run; they are in no digest (promise P-1).
 *
 * <p>{@link LedgerFormat} writes and reads them. Stored samples hold the form: a component that is added, removed or renamed
 * makes a new schema version.
 */
public sealed interface LedgerEvent {
    /** Step that the event is about; of {@link RunOpened} and {@link CheckpointWritten} the steps committed before it. */
    int step();

    /**
     * A writer has begun. It is the first event that a writer writes, and all events up to the next such are its.
     *
     * @param epoch number of the writer, from 1
     * @param step steps committed in the state that it begins from
     * @param digests of that state
     */
    record RunOpened(int epoch, int step, RunDigests digests) implements LedgerEvent {}

    /**
     * The prompts of a step are chosen.
     *
     * @param version policy version that draws
     * @param slots images a group
     * @param rows dataset row of each group, in the order of the groups
     */
    record StepOpened(int step, long version, int slots, List<String> rows) implements LedgerEvent {
        public StepOpened {
            rows = List.copyOf(rows);
        }
    }

    /**
     * The images of a group are drawn.
     *
     * @param version policy version that drew
     * @param images one entry a slot, in slot order
     */
    record GroupDrawn(int step, int group, long version, List<ImageDigest> images) implements LedgerEvent {
        public GroupDrawn {
            images = List.copyOf(images);
        }
    }

    /**
     * SHA-256 in hexadecimal.
     *
     * @param latent of the bytes of what is trained on: the trajectory where there is one, else the latent
     * @param pixels of the bytes of what is scored
     */
    record ImageDigest(String latent, String pixels) {}

    /** What a scorer said of an image, or that it said nothing. It is never asked about this image again. */
    sealed interface SlotFate extends LedgerEvent {
        int group();

        int slot();

        /** As the scorer's device answered. */
        ScoreOutcome outcome();

        /** What is recorded of an outcome. */
        static SlotFate of(ImageAddress image, ScoreOutcome outcome) {
            return switch (outcome) {
                case ScoreOutcome.Scored(double score, double labelMass, int attempts, String scorer) ->
                    new SlotScored(image.step(), image.group(), image.slot(), score, labelMass, attempts, scorer);
                case ScoreOutcome.Unscored(String reason, int attempts) ->
                    new SlotUnscored(image.step(), image.group(), image.slot(), reason, attempts);
            };
        }
    }

    /**
     * An image has its score.
     *
     * @param score in [0, 1]
     * @param labelMass probability that the scorer put on the labels together, in (0, 1]
     * @param attempts requests sent
     * @param scorer which scorer and model answered
     */
    record SlotScored(int step, int group, int slot, double score, double labelMass, int attempts, String scorer)
            implements SlotFate {
        @Override
        public ScoreOutcome outcome() {
            return new ScoreOutcome.Scored(score, labelMass, attempts, scorer);
        }
    }

    /**
     * An image has no score and gets none.
     *
     * @param reason what the scorer did wrong, in one line
     * @param attempts requests sent
     */
    record SlotUnscored(int step, int group, int slot, String reason, int attempts) implements SlotFate {
        @Override
        public ScoreOutcome outcome() {
            return new ScoreOutcome.Unscored(reason, attempts);
        }
    }

    /**
     * A group cannot be drawn, and the run goes on without it.
     *
     * @param reason one line
     */
    record GroupLost(int step, int group, String reason) implements LedgerEvent {}

    /**
     * A group is compared with itself.
     *
     * @param reason one line, with the values and the thresholds they were held against
     */
    record GroupJudged(int step, int group, Fate fate, String reason) implements LedgerEvent {}

    /** What becomes of a group. */
    enum Fate {
        KEPT,
        DROPPED,
        ABANDONED;

        public static Fate of(Verdict verdict) {
            return switch (verdict) {
                case Verdict.Kept _ -> KEPT;
                case Verdict.Dropped _ -> DROPPED;
                case Verdict.Abandoned _ -> ABANDONED;
            };
        }
    }

    /**
     * The step is part of the run.
     *
     * @param digests of the state after it
     * @param tally what became of its slots
     */
    record StepCommitted(int step, RunDigests digests, StepTally tally) implements LedgerEvent {}

    /**
     * A checkpoint is whole and on the disk.
     *
     * @param step steps committed in it
     * @param digest SHA-256 of its manifest, which has those of its files
     * @param resumableFrom the lowest step of a checkpoint that is kept for resumption: what lies before it is only needed
     *     as commits
     */
    record CheckpointWritten(int step, String digest, int resumableFrom) implements LedgerEvent {}
}
