package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.LedgerBook;
import darkroom.actors.LedgerEvent;
import darkroom.actors.RunDigests;
import darkroom.actors.StepTally;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class DivergenceTest {
    private static final StepTally TALLY = new StepTally(4, 4, 0, 0, 0);

    private static List<LedgerEvent> step(int step) {
        List<LedgerEvent> events = new ArrayList<>();
        events.add(new LedgerEvent.StepOpened(step, step, 2, List.of("row a", "row b")));
        for (int group = 0; group < 2; group++) {
            events.add(new LedgerEvent.GroupDrawn(
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
        return new RunDigests("weights " + step + weights, "optimizer " + step, "verdicts " + step);
    }

    /** @param change of the events of step 1, whose digests then are others */
    private static LedgerBook book(UnaryOperator<LedgerEvent> change) {
        LedgerBook book = LedgerBook.empty().with(new LedgerEvent.RunOpened(1, 0, digests(0, "")));
        for (int step = 0; step < 3; step++) {
            for (LedgerEvent event : step(step)) {
                book = book.with(step == 1 ? change.apply(event) : event);
            }
        }
        return book;
    }

    private static final LedgerBook UNDISTURBED = book(event -> event);

    private static LedgerEvent otherDigests(LedgerEvent event) {
        return event instanceof LedgerEvent.StepCommitted commit
                ? new LedgerEvent.StepCommitted(commit.step(), digests(commit.step(), " other"), TALLY)
                : event;
    }

    @Test
    void two_runs_that_are_one_have_no_divergence_whoever_scored_and_however_often_it_was_asked() {
        LedgerBook other = book(event -> event instanceof LedgerEvent.SlotScored scored
                ? new LedgerEvent.SlotScored(
                        scored.step(), scored.group(), scored.slot(), scored.score(), .8, 7, "another scorer")
                : event);
        assertThat(Divergence.between(UNDISTURBED, other)).isEmpty();
    }

    @Test
    void another_score_is_named_by_step_group_and_slot() {
        LedgerBook other = book(event -> event
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
        assertThat(Divergence.between(UNDISTURBED, other)).hasValueSatisfying(text -> assertThat(text)
                .contains("step 1 group 1 slot 1", "score 0.75", "score 0.5"));
    }

    @Test
    void another_image_comes_before_another_score() {
        LedgerBook other = book(event -> switch (event) {
            case LedgerEvent.GroupDrawn drawn
            when drawn.group() == 0 ->
                new LedgerEvent.GroupDrawn(
                        drawn.step(),
                        0,
                        drawn.version(),
                        List.of(drawn.images().getFirst(), new LedgerEvent.ImageDigest("other", "pixels 1")));
            case LedgerEvent.SlotScored scored ->
                new LedgerEvent.SlotScored(scored.step(), scored.group(), scored.slot(), .1, .9, 1, "scorer");
            default -> otherDigests(event);
        });
        assertThat(Divergence.between(UNDISTURBED, other))
                .hasValueSatisfying(text -> assertThat(text).contains("step 1 group 0 slot 1", "image"));
    }

    @Test
    void where_only_the_weights_differ_the_training_does() {
        assertThat(Divergence.between(UNDISTURBED, book(DivergenceTest::otherDigests)))
                .hasValueSatisfying(text -> assertThat(text).contains("step 1", "the training is not", "weights"));
    }

    @Test
    void a_step_that_is_missing_is_named() {
        LedgerBook shorter = LedgerBook.empty().with(new LedgerEvent.RunOpened(1, 0, digests(0, "")));
        for (LedgerEvent event : step(0)) {
            shorter = shorter.with(event);
        }
        assertThat(Divergence.between(UNDISTURBED, shorter)).hasValue("step 1 was never committed");
    }
}
