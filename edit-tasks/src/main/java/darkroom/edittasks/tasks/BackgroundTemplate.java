package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Catalogue.Thing;

/** Changes the background behind one or two objects. */
record BackgroundTemplate() implements TaskTemplate {
    @Override
    public Plan draw(PlanDraws draws) {
        Thing thing = draws.subject();
        String fresh = draws.target();
        String wrong = draws.otherTarget(fresh);
        String otherWrong = draws.otherTarget(fresh, wrong);
        Scene source = draws.oneOrTwo(draws.sceneOtherThan(fresh), thing);
        String phrase = Wording.backdrop(fresh);
        return new Plan(
                new Combination(TaskType.BACKGROUND, thing.say(), fresh, Backdrop.NAMES.indexOf(fresh)),
                new Plan.Request(
                        draws.one(
                                "change the background to " + phrase,
                                "set the background to " + phrase,
                                "make the background " + phrase),
                        "The background must become " + phrase
                                + ". The objects in front must keep their shape, colour and place."),
                source,
                source.backdrop(new Backdrop.Named(fresh)),
                new Plan.WrongTargets(
                        source.backdrop(new Backdrop.Named(wrong)), source.backdrop(new Backdrop.Named(otherWrong))));
    }
}
