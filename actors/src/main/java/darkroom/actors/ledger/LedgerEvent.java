package darkroom.actors.ledger;

import darkroom.actors.device.ImageAddress;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.events.StepTally;
import darkroom.actors.statistics.FilterDecision;
import java.util.List;

/**
 * An event of a run that must not be lost. Addressed by (step, group, slot); the ledger itself is that of one run. Events
 * contain no times. The scorer that answered, the number of attempts, and the words of a reason may differ from run to run;
 * they are in no digest (promise P-1).
 *
 * <p>{@link LedgerFormat} writes and reads them. Stored samples fix the format: adding, removing or renaming a component
 * makes a new schema version.
 */
public sealed interface LedgerEvent {
    /**
     * Returns the step that the event is about; of {@link RunOpened} and {@link CheckpointWritten} the steps committed
     * before it.
     */
    int step();

    /**
     * A writer has begun. It is the first event that a writer writes, and all events up to the next one of this type are
     * its own.
     *
     * @param epoch number of the writer, from 1
     * @param step steps committed in the state that it begins from
     * @param digests of that state
     */
    record RunOpened(int epoch, int step, RunDigests digests) implements LedgerEvent {}

    /**
     * The prompts of a step are chosen.
     *
     * @param version policy version used for the rollouts
     * @param slots images per group
     * @param rows dataset row of each group, in the order of the groups
     */
    record StepOpened(int step, long version, int slots, List<String> rows) implements LedgerEvent {
        public StepOpened {
            rows = List.copyOf(rows);
        }
    }

    /**
     * The images of a group are generated.
     *
     * @param version policy version that generated them
     * @param images one entry per slot, in slot order
     */
    record GroupGenerated(int step, int group, long version, List<ImageDigest> images) implements LedgerEvent {
        public GroupGenerated {
            images = List.copyOf(images);
        }
    }

    /**
     * Digests of one image, SHA-256 in hexadecimal.
     *
     * @param latent of the bytes used for training: the trajectory if present, else the latent
     * @param pixels of the bytes used for scoring
     */
    record ImageDigest(String latent, String pixels) {}

    /** The score outcome of an image. The scorer is never asked about this image again. */
    sealed interface SampleOutcome extends LedgerEvent {
        int group();

        int slot();

        /** Returns the outcome as the scorer's device reported it. */
        ScoreOutcome outcome();

        /** Creates the event for an outcome. */
        static SampleOutcome of(ImageAddress image, ScoreOutcome outcome) {
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
     * @param labelMass total probability that the scorer assigned to the labels, in (0, 1]
     * @param attempts requests sent
     * @param scorer scorer and model that answered
     */
    record SlotScored(int step, int group, int slot, double score, double labelMass, int attempts, String scorer)
            implements SampleOutcome {
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
    record SlotUnscored(int step, int group, int slot, String reason, int attempts) implements SampleOutcome {
        @Override
        public ScoreOutcome outcome() {
            return new ScoreOutcome.Unscored(reason, attempts);
        }
    }

    /**
     * A group cannot be generated, and the run continues without it.
     *
     * @param reason one line
     */
    record GroupLost(int step, int group, String reason) implements LedgerEvent {}

    /**
     * The filter decision on a group.
     *
     * @param reason one line, with the values and the thresholds they were compared with
     */
    record GroupJudged(int step, int group, Fate fate, String reason) implements LedgerEvent {}

    /** Fate of a group. */
    enum Fate {
        KEPT,
        DROPPED,
        ABANDONED;

        public static Fate of(FilterDecision decision) {
            return switch (decision) {
                case FilterDecision.Kept _ -> KEPT;
                case FilterDecision.Dropped _ -> DROPPED;
                case FilterDecision.Abandoned _ -> ABANDONED;
            };
        }
    }

    /**
     * The step is part of the run.
     *
     * @param digests of the state after it
     * @param tally fates of its slots
     */
    record StepCommitted(int step, RunDigests digests, StepTally tally) implements LedgerEvent {}

    /**
     * A checkpoint is completely written to disk.
     *
     * @param step steps committed in it
     * @param digest SHA-256 of its manifest, which has those of its files
     * @param resumableFrom the lowest step of a checkpoint that is kept for resumption: of earlier steps only the commits
     *     are needed
     */
    record CheckpointWritten(int step, String digest, int resumableFrom) implements LedgerEvent {}
}
