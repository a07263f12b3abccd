package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Catalogue.Thing;
import darkroom.edittasks.tasks.Scene.Placed;
import java.util.List;

/** Adds an object: beside another one in six of eight cases, above one, or to an empty scene. */
record AddTemplate() implements TaskTemplate {
    private static final int CASES = 8;
    private static final int BESIDE_BELOW = 6;

    /** Lower edge of an object that another one is added above. */
    private static final int BELOW_BOTTOM = 30;

    @Override
    public Plan draw(PlanDraws draws) {
        Thing added = draws.subject();
        Thing other = draws.beside(added);
        Thing third = draws.beside(added, other);
        Backdrop backdrop = draws.scene();
        int which = draws.below(CASES);
        Place place;
        Place elsewhere;
        Scene source;
        if (which < BESIDE_BELOW) {
            boolean left = draws.half();
            place = Place.side(left);
            elsewhere = Place.TOP;
            source = new Scene(backdrop, List.of(draws.onSide(other.icon(), !left)));
        } else if (which == BESIDE_BELOW) {
            place = Place.TOP;
            elsewhere = Place.side(draws.half());
            source = new Scene(
                    backdrop,
                    List.of(new Placed(
                            other.icon(), draws.near(Layout.MIDDLE, 2), BELOW_BOTTOM, draws.between(14, 15))));
        } else {
            place = Place.CENTER;
            elsewhere = Place.side(draws.half());
            source = new Scene(backdrop, List.of());
        }
        String what = Wording.indefinite(added.say());
        return new Plan(
                new Combination(TaskType.ADD, added.say()),
                new Plan.Request(
                        draws.one("add ", "put ", "place ", "draw ") + what + " " + place.phrase(),
                        "Exactly one new object, " + what + ", must appear " + place.phrase()
                                + ". Everything else must stay as it was."),
                source,
                source.with(place.put(added.icon())),
                new Plan.WrongTargets(source.with(place.put(third.icon())), source.with(elsewhere.put(added.icon()))));
    }
}
