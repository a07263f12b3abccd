package darkroom.runtime.studies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import darkroom.runtime.base.Bootstrap;
import darkroom.runtime.base.PairedBootstrap;
import darkroom.runtime.studies.AnnotatedPair.Preferred;
import darkroom.runtime.studies.PairAgreement.Judged;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class PairAgreementTest {
    /** Pairs that are right, wrong, tied by the scorer, and annotated as equivalent by either or both. */
    private static final List<Judged> SIX = List.of(
            new Judged("1", Preferred.A, .8, .2),
            new Judged("1", Preferred.A, .2, .8),
            new Judged("2", Preferred.B, .5, .5),
            new Judged("2", Preferred.TIE, .5, .4),
            new Judged("3", Preferred.TIE, .4, .4),
            new Judged("3", Preferred.B, .1, .3));

    @Test
    void ties_count_in_each_of_the_three_ways() {
        PairAgreement agreement = PairAgreement.of(SIX, 2);
        assertThat(agreement.pairs()).isEqualTo(6);
        assertThat(agreement.unscored()).isEqualTo(2);
        assertThat(agreement.annotatedTies()).isCloseTo(2 / 6.0, within(1e-12));
        assertThat(agreement.scoredTies()).isCloseTo(2 / 6.0, within(1e-12));
        assertThat(agreement.strict().orElseThrow().value()).isCloseTo(3 / 6.0, within(1e-12));
        assertThat(agreement.tiesHalf().orElseThrow().value()).isCloseTo(4 / 6.0, within(1e-12));
        assertThat(agreement.untied().orElseThrow().value()).isCloseTo(2 / 4.0, within(1e-12));
    }

    @Test
    void the_interval_draws_sources_so_that_copies_of_a_pair_make_it_no_narrower() {
        List<Judged> once = new ArrayList<>();
        List<Judged> tenTimes = new ArrayList<>();
        for (int source = 0; source < 20; source++) {
            Judged pair = new Judged("source " + source, Preferred.A, source % 2 == 0 ? .9 : .1, .5);
            once.add(pair);
            for (int copy = 0; copy < 10; copy++) {
                tenTimes.add(pair);
            }
        }
        assertThat(PairAgreement.of(tenTimes, 0).untied())
                .isEqualTo(PairAgreement.of(once, 0).untied());
        PairAgreement.Share share = PairAgreement.of(once, 0).untied().orElseThrow();
        assertThat(share.low().orElseThrow()).isBetween(.2, .4);
        assertThat(share.high().orElseThrow()).isBetween(.6, .8);
    }

    /** U12. */
    @Test
    void one_source_alone_has_no_interval_and_neither_have_sources_that_are_all_alike() {
        Judged right = new Judged("one", Preferred.A, .9, .1);
        Judged wrong = new Judged("one", Preferred.B, .9, .1);
        PairAgreement.Share alone =
                PairAgreement.of(List.of(right, wrong), 0).untied().orElseThrow();
        assertThat(alone.value()).isEqualTo(.5);
        assertThat(alone.low()).isEmpty();
        assertThat(alone.high()).isEmpty();
        Judged other = new Judged("other", Preferred.A, .9, .1);
        assertThat(PairAgreement.of(List.of(right, other), 0)
                        .untied()
                        .orElseThrow()
                        .low())
                .isEmpty();
        assertThat(Bootstrap.of(1, _ -> .3).low()).isEmpty();
        assertThat(PairedBootstrap.of(new double[] {.1}, new double[] {.3}).low())
                .isEmpty();
        assertThat(PairedBootstrap.of(new double[] {.1, .2}, new double[] {.3, .3})
                        .low())
                .isPresent();
    }

    @Test
    void where_nothing_was_scored_there_is_no_figure() {
        PairAgreement none = PairAgreement.of(List.of(), 3);
        assertThat(none.strict()).isEmpty();
        assertThat(none.untied()).isEmpty();
        assertThat(PairAgreement.of(List.of(new Judged("1", Preferred.TIE, 1, 1)), 0)
                        .untied())
                .isEmpty();
    }

    /** Exchanging the two edits of every pair changes only their order. */
    @Property(tries = 50)
    void the_order_of_the_two_edits_does_not_matter(
            @ForAll @Size(min = 1, max = 12) List<@DoubleRange(min = 0, max = 1) Double> scores,
            @ForAll @Size(12) List<Preferred> preferred) {
        List<Judged> pairs = new ArrayList<>();
        List<Judged> exchanged = new ArrayList<>();
        for (int i = 0; i < scores.size(); i++) {
            Preferred which = preferred.get(i);
            Preferred other =
                    switch (which) {
                        case A -> Preferred.B;
                        case B -> Preferred.A;
                        case TIE -> Preferred.TIE;
                    };
            pairs.add(new Judged("s" + i / 2, which, scores.get(i), .5));
            exchanged.add(new Judged("s" + i / 2, other, .5, scores.get(i)));
        }
        assertThat(PairAgreement.of(exchanged, 1)).isEqualTo(PairAgreement.of(pairs, 1));
    }
}
