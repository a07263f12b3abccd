package darkroom.edittasks.tasks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** P-4 and P-9: a catalogue that lacks something ends the drawing with a message. */
@Timeout(20)
final class PlanDrawsTest {
    private static final Catalogue.Thing GREY = new Catalogue.Thing("rock", "rock", -1);

    private static PlanDraws drawing(List<Catalogue.Thing> things, List<String> scenes) {
        return new PlanDraws(new Draws(1), new Pool(things, things, scenes, scenes, List.of(), List.of("CAT")));
    }

    @Test
    void a_pool_of_things_without_colour_has_none_to_colour() {
        PlanDraws drawing = drawing(List.of(GREY), Backdrop.NAMES);
        assertThatThrownBy(drawing::colourful)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no thing that can be coloured among")
                .hasMessageContaining("rock")
                .hasMessageContaining("in " + PlanDraws.DRAWS_MAX + " draws");
        assertThatThrownBy(() -> drawing.colourFor(GREY)).hasMessageContaining("no colour for rock");
        assertThatThrownBy(() -> drawing.otherColour(GREY, "red")).hasMessageContaining("no colour for rock");
    }

    @Test
    void a_pool_of_one_backdrop_has_no_other() {
        Backdrop only = new Backdrop.Named(Backdrop.NAMES.getFirst());
        Pool pool = new Pool(
                List.of(GREY),
                List.of(GREY),
                List.of(Backdrop.NAMES.getFirst()),
                List.of(Backdrop.NAMES.getFirst()),
                Backdrop.PHOTOS,
                List.of("CAT"));
        PlanDraws drawing = new PlanDraws(new Draws(1), pool);
        assertThat(drawing.sceneOtherThan(Backdrop.NAMES.getFirst())).isNotEqualTo(only);
        PlanDraws without = drawing(List.of(GREY), List.of(Backdrop.NAMES.getFirst()));
        assertThatThrownBy(() -> without.sceneOtherThan(Backdrop.NAMES.getFirst()))
                .isInstanceOf(RuntimeException.class);
    }
}
