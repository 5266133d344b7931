"""What two teams keep track of in an engagement: milestones, insights, trainings, wins and adjustments."""
