package darkroom.runtime.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.events.StepTally;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.LedgerSnapshot;
import darkroom.actors.ledger.RunDigests;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class DivergenceTest {
    private static final StepTally TALLY = new StepTally(4, 4, 0, 0, 0);

    private static List<LedgerEvent> step(int step) {
        List<LedgerEvent> events = new ArrayList<>();
        events.add(new LedgerEvent.StepOpened(step, step, 2, List.of("row a", "row b")));
        for (int group = 0; group < 2; group++) {
            events.add(new LedgerEvent.GroupGenerated(
                    step,
                    group,
                    step,
                    List.of(
                            new LedgerEvent.ImageDigest("latent 0", "pixels 0"),
                            new LedgerEvent.ImageDigest("latent 1", "pixels 1"))));
            events.add(new LedgerEvent.SlotScored(step, group, 0, .25, .9, 1, "scorer"));
            events.add(new LedgerEvent.SlotScored(step, group, 1, .75, .9, 1, "scorer"));
            events.add(new LedgerEvent.GroupJudged(step, group, LedgerEvent.Fate.KEPT, "spread"));
        }
        events.add(new LedgerEvent.StepCommitted(step, digests(step, ""), TALLY));
        return events;
    }

    private static RunDigests digests(int step, String weights) {
        return new RunDigests("weights " + step + weights, "optimizer " + step, "decisions " + step);
    }

    /** @param change of the events of step 1, which changes their digests */
    private static LedgerSnapshot snapshot(UnaryOperator<LedgerEvent> change) {
        LedgerSnapshot snapshot = LedgerSnapshot.empty().with(new LedgerEvent.RunOpened(1, 0, digests(0, "")));
        for (int step = 0; step < 3; step++) {
            for (LedgerEvent event : step(step)) {
                snapshot = snapshot.with(step == 1 ? change.apply(event) : event);
            }
        }
        return snapshot;
    }

    private static final LedgerSnapshot UNDISTURBED = snapshot(event -> event);

    private static LedgerEvent otherDigests(LedgerEvent event) {
        return event instanceof LedgerEvent.StepCommitted commit
                ? new LedgerEvent.StepCommitted(commit.step(), digests(commit.step(), " other"), TALLY)
                : event;
    }

    @Test
    void two_runs_that_are_one_have_no_divergence_whoever_scored_and_however_often_it_was_asked() {
        LedgerSnapshot other = snapshot(event -> event instanceof LedgerEvent.SlotScored scored
                ? new LedgerEvent.SlotScored(
                        scored.step(), scored.group(), scored.slot(), scored.score(), .8, 7, "another scorer")
                : event);
        assertThat(Divergence.between(UNDISTURBED, other)).isEmpty();
    }

    @Test
    void another_score_is_named_by_step_group_and_slot() {
        LedgerSnapshot other = snapshot(event -> event
                                instanceof
                                LedgerEvent.SlotScored(
                                        int step,
                                        int group,
                                        int slot,
                                        double _,
                                        double mass,
                                        int attempts,
                                        String scorer)
                        && group == 1
                        && slot == 1
                ? new LedgerEvent.SlotScored(step, group, slot, .5, mass, attempts, scorer)
                : otherDigests(event));
        assertThat(Divergence.between(UNDISTURBED, other))
                .hasValue(new Divergence.Difference(
                        Divergence.Part.SCORE,
                        1,
                        OptionalInt.of(1),
                        OptionalInt.of(1),
                        "step 1 group 1 slot 1: score 0.75, and score 0.5"));
    }

    @Test
    void another_image_comes_before_another_score() {
        LedgerSnapshot other = snapshot(event -> switch (event) {
            case LedgerEvent.GroupGenerated generated
            when generated.group() == 0 ->
                new LedgerEvent.GroupGenerated(
                        generated.step(),
                        0,
                        generated.version(),
                        List.of(generated.images().getFirst(), new LedgerEvent.ImageDigest("other", "pixels 1")));
            case LedgerEvent.SlotScored scored ->
                new LedgerEvent.SlotScored(scored.step(), scored.group(), scored.slot(), .1, .9, 1, "scorer");
            default -> otherDigests(event);
        });
        assertThat(Divergence.between(UNDISTURBED, other)).hasValueSatisfying(difference -> {
            assertThat(difference.part()).isEqualTo(Divergence.Part.IMAGE);
            assertThat(difference.text()).startsWith("step 1 group 0 slot 1: image ");
        });
    }

    @Test
    void where_only_the_weights_differ_the_training_does() {
        assertThat(Divergence.between(UNDISTURBED, snapshot(DivergenceTest::otherDigests)))
                .hasValue(new Divergence.Difference(
                        Divergence.Part.TRAINING,
                        1,
                        OptionalInt.empty(),
                        OptionalInt.empty(),
                        "step 1: images, scores and decisions are the same, the training is not: weights"));
    }

    @Test
    void a_step_that_is_missing_is_named() {
        LedgerSnapshot shorter = LedgerSnapshot.empty().with(new LedgerEvent.RunOpened(1, 0, digests(0, "")));
        for (LedgerEvent event : step(0)) {
            shorter = shorter.with(event);
        }
        assertThat(Divergence.between(UNDISTURBED, shorter)).hasValueSatisfying(difference -> {
            assertThat(difference.part()).isEqualTo(Divergence.Part.MISSING_STEP);
            assertThat(difference.text()).isEqualTo("step 1 was never committed");
        });
    }
}
