package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Catalogue.Thing;
import darkroom.edittasks.tasks.Scene.Placed;
import java.util.List;

/** Adds the object of a second input picture beside another one. */
record ReferenceTemplate() implements TaskTemplate {
    /** Gray level behind the object of the reference picture. */
    private static final float REFERENCE_GRAY = 200;

    private static final int REFERENCE_BOTTOM = 29;
    private static final int REFERENCE_SIDE = 26;

    @Override
    public Plan draw(PlanDraws draws) {
        Thing added = draws.subject();
        Thing other = draws.beside(added);
        Thing third = draws.beside(added, other);
        boolean left = draws.half();
        Place place = Place.side(left);
        Scene source = new Scene(draws.scene(), List.of(draws.onSide(other.icon(), !left)));
        return new Plan(
                new Combination(TaskType.REFERENCE, added.say()),
                new Plan.Request(
                        draws.one("put the object of image 2 ", "add the object of the reference image ")
                                + place.phrase(),
                        "The object that the second input image shows must appear " + place.phrase()
                                + ". Everything else must stay as it was."),
                source,
                source.with(place.put(added.icon())),
                new Plan.WrongTargets(source.with(place.put(third.icon())), source.with(Place.TOP.put(added.icon()))),
                new Scene(
                        new Backdrop.Plain(REFERENCE_GRAY),
                        List.of(new Placed(added.icon(), Layout.MIDDLE, REFERENCE_BOTTOM, REFERENCE_SIDE))));
    }
}
